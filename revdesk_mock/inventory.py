"""The numbers that can be bought: the same in every world, and all from ranges reserved for fiction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LOCAL, TOLL_FREE, MOBILE, NATIONAL = "local", "tollFree", "mobile", "national"
VOICE, TEXT = "voice", "sms"


KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")


@dataclass(frozen=True, slots=True)
class Block:
    """A run of numbers for sale: `prefix` and a counter of `digits` digits, from 0 up to `count`."""

    country: str
    number_type: str
    area_code: str
    prefix: str
    digits: int
    count: int
    locality: str
    region: str
    features: tuple[str, ...] = (VOICE, TEXT)


@dataclass(frozen=True, slots=True)
class Offer:
    """One number for sale."""

    phone_number: str
    block: Block


# Area codes by country and region, each with its best-known place.
_NORTH_AMERICA: Mapping[tuple[str, str], str] = {
    ("US", "AL"): "205 Birmingham",
    ("US", "AZ"): "480 Mesa, 520 Tucson, 602 Phoenix",
    (
        "US",
        "CA",
    ): "213 Los Angeles, 310 Santa Monica, 408 San Jose, 415 San Francisco, 510 Oakland, 619 San Diego, 628 San Francisco, 650 Palo Alto, 714 Anaheim, 818 Burbank, 916 Sacramento, 949 Irvine",
    ("US", "CO"): "303 Denver, 719 Colorado Springs, 720 Denver",
    ("US", "CT"): "203 New Haven, 860 Hartford",
    ("US", "DC"): "202 Washington",
    (
        "US",
        "FL",
    ): "305 Miami, 321 Orlando, 407 Orlando, 561 West Palm Beach, 727 St. Petersburg, 786 Miami, 813 Tampa, 850 Tallahassee, 904 Jacksonville, 954 Fort Lauderdale",
    ("US", "GA"): "404 Atlanta, 678 Atlanta, 770 Marietta, 912 Savannah",
    ("US", "HI"): "808 Honolulu",
    ("US", "IA"): "515 Des Moines",
    ("US", "IL"): "217 Springfield, 312 Chicago, 630 Naperville, 773 Chicago, 847 Evanston",
    ("US", "IN"): "317 Indianapolis",
    ("US", "KY"): "502 Louisville",
    ("US", "LA"): "504 New Orleans",
    ("US", "MA"): "508 Worcester, 617 Boston, 857 Boston, 978 Lowell",
    ("US", "MD"): "301 Bethesda, 410 Baltimore, 443 Baltimore",
    ("US", "ME"): "207 Portland",
    ("US", "MI"): "248 Troy, 313 Detroit, 616 Grand Rapids, 734 Ann Arbor",
    ("US", "MN"): "612 Minneapolis, 651 St. Paul",
    ("US", "MO"): "314 St. Louis, 816 Kansas City",
    ("US", "NC"): "336 Greensboro, 704 Charlotte, 919 Raleigh",
    ("US", "NE"): "402 Omaha",
    ("US", "NJ"): "201 Jersey City, 609 Trenton, 732 New Brunswick, 973 Newark",
    ("US", "NM"): "505 Albuquerque",
    ("US", "NV"): "702 Las Vegas, 775 Reno",
    (
        "US",
        "NY",
    ): "212 New York, 315 Syracuse, 347 Brooklyn, 516 Hempstead, 518 Albany, 585 Rochester, 646 New York, 716 Buffalo, 718 Brooklyn, 914 Yonkers, 917 New York",
    ("US", "OH"): "216 Cleveland, 419 Toledo, 513 Cincinnati, 614 Columbus, 937 Dayton",
    ("US", "OK"): "405 Oklahoma City, 918 Tulsa",
    ("US", "OR"): "503 Portland, 541 Eugene",
    ("US", "PA"): "215 Philadelphia, 267 Philadelphia, 412 Pittsburgh, 610 Allentown, 717 Harrisburg",
    ("US", "RI"): "401 Providence",
    ("US", "SC"): "803 Columbia, 843 Charleston",
    ("US", "TN"): "423 Chattanooga, 615 Nashville, 865 Knoxville, 901 Memphis",
    (
        "US",
        "TX",
    ): "210 San Antonio, 214 Dallas, 281 Houston, 361 Corpus Christi, 469 Dallas, 512 Austin, 713 Houston, 806 Lubbock, 817 Fort Worth, 832 Houston, 915 El Paso, 972 Dallas",
    ("US", "UT"): "385 Salt Lake City, 801 Salt Lake City",
    ("US", "VA"): "571 Arlington, 703 Arlington, 757 Virginia Beach, 804 Richmond",
    ("US", "WA"): "206 Seattle, 253 Tacoma, 425 Bellevue, 509 Spokane",
    ("US", "WI"): "414 Milwaukee, 608 Madison",
    ("CA", "AB"): "403 Calgary, 780 Edmonton",
    ("CA", "BC"): "236 Vancouver, 250 Victoria, 604 Vancouver",
    ("CA", "MB"): "204 Winnipeg",
    ("CA", "NS"): "902 Halifax",
    ("CA", "ON"): "289 Hamilton, 416 Toronto, 613 Ottawa, 647 Toronto, 905 Mississauga",
    ("CA", "QC"): "418 Quebec City, 438 Montreal, 514 Montreal",
    ("CA", "SK"): "306 Saskatoon",
}


def _blocks() -> Iterator[Block]:
    for (country, region), codes in _NORTH_AMERICA.items():
        for entry in codes.split(", "):
            code, _, place = entry.partition(" ")
            yield Block(country, LOCAL, code, f"+1{code}55501", 2, 100, place, region)
    for code in ("800", "833", "844", "855", "866", "877", "888"):
        yield Block("US", TOLL_FREE, code, f"+1{code}55501", 2, 100, "Toll-free", "US")
    # Ofcom's numbers for drama use.
    yield Block("GB", LOCAL, "20", "+44207946", 4, 1000, "London", "England")
    yield Block("GB", LOCAL, "161", "+44161496", 4, 1000, "Manchester", "England")
    yield Block("GB", LOCAL, "131", "+44131496", 4, 1000, "Edinburgh", "Scotland")
    yield Block("GB", LOCAL, "29", "+44292018", 4, 1000, "Cardiff", "Wales")
    yield Block("GB", MOBILE, "7700", "+447700900", 3, 1000, "Mobile", "GB")
    yield Block("GB", TOLL_FREE, "808", "+44808157", 4, 1000, "Freephone", "GB")
    yield Block("GB", NATIONAL, "3069", "+443069990", 3, 1000, "National", "GB", (VOICE,))


BLOCKS: tuple[Block, ...] = tuple(_blocks())


def search(
    country: str,
    number_type: str,
    *,
    area_code: str | None = None,
    contains: str | None = None,
    region: str | None = None,
) -> Iterator[Offer]:
    """Yield the offers that fit, in a fixed order; `contains` looks for digits, or letters as on a keypad, in the number."""
    digits = "".join(filter(str.isdigit, (contains or "").upper().translate(KEYPAD)))
    for block in BLOCKS:
        if (block.country, block.number_type) != (country.upper(), number_type):
            continue
        if area_code is not None and block.area_code != area_code.strip():
            continue
        if region is not None and region.casefold() not in {block.region.casefold(), block.locality.casefold()}:
            continue
        for counter in range(block.count):
            number = f"{block.prefix}{counter:0{block.digits}d}"
            if digits in number:
                yield Offer(number, block)


def find(number: str) -> Offer | None:
    """Return the offer of a number, or None where the carrier does not have it."""
    for block in BLOCKS:
        rest = number.removeprefix(block.prefix)
        if (
            rest != number
            and len(rest) == block.digits
            and rest.isascii()
            and rest.isdigit()
            and int(rest) < block.count
        ):
            return Offer(number, block)
    return None


def is_us_local(number: str) -> bool:
    """Whether a number is a US local number: the only kind that can have a CNAM."""
    offer = find(number)
    return offer is not None and (offer.block.country, offer.block.number_type) == ("US", LOCAL)
