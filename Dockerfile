FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE openapi.json ./
COPY fixtures fixtures
COPY revdesk_mock revdesk_mock
# The variable pins the build backend as well, in its own environment.
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_NO_CACHE_DIR=1
# What only helps to debug, test, type or compile against the libraries is left out: a fifth of the image. Those in *.libs
# do not survive being stripped.
# Versions are those of constraints.txt, and Debian's for a tool that stays behind.
# hadolint ignore=DL3008,DL3013
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends binutils \
 && python -m venv --without-pip --system-site-packages /opt/revdesk-mock \
 && pip --python /opt/revdesk-mock/bin/python install --quiet ".[speech]" \
 && find /opt/revdesk-mock/lib -type d \( -name tests -o -name '*-stubs' -o -name f2py \) -prune -exec rm -r {} + \
 && find /opt/revdesk-mock/lib -type f \( -name '*.pyi' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.a' \) -delete \
 && find /opt/revdesk-mock/lib -name '*.so' -type f -not -path '*.libs/*' -exec strip --strip-unneeded {} + \
 && python -m compileall -q /opt/revdesk-mock/lib \
 && /opt/revdesk-mock/bin/python -c "import revdesk_mock.loa, revdesk_mock.rtc.casting, revdesk_mock.rtc.line; from livekit.protocol import models, rtc"

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="revdesk-mock" \
      org.opencontainers.image.description="A local emulator of the RevDesk v1 voice API" \
      org.opencontainers.image.licenses="MIT AND GPL-3.0-or-later"
COPY --from=build /opt/revdesk-mock /opt/revdesk-mock
ENV PATH=/opt/revdesk-mock/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    REVDESK_MOCK_HOST=0.0.0.0 \
    REVDESK_MOCK_MEDIA_HOST=0.0.0.0 \
    REVDESK_MOCK_MEDIA_IP=127.0.0.1 \
    REVDESK_MOCK_MEDIA_PORTS=50000-50100
USER 10001:10001
WORKDIR /tmp
EXPOSE 8473 50000-50100/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=5s --retries=3 CMD ["revdesk-mock", "healthcheck"]
ENTRYPOINT ["revdesk-mock"]
CMD ["serve"]
