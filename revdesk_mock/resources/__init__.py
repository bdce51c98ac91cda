"""What each operation does: one file for each tag of the contract, with verbs and a table from operation to verb."""

from collections.abc import Mapping

from revdesk_mock.exchange import Handler
from revdesk_mock.resources import (
    account,
    agents,
    branded_calling,
    caller_ids,
    calls,
    documents,
    enterprise_registration,
    phone_numbers,
    reputation,
    sms,
    sub_entities,
    usage,
    webrtc,
)
from revdesk_mock.world import Step

HANDLERS: Mapping[str, Handler] = {
    **account.HANDLERS,
    **agents.HANDLERS,
    **branded_calling.HANDLERS,
    **caller_ids.HANDLERS,
    **calls.HANDLERS,
    **documents.HANDLERS,
    **enterprise_registration.HANDLERS,
    **phone_numbers.HANDLERS,
    **reputation.HANDLERS,
    **sms.HANDLERS,
    **sub_entities.HANDLERS,
    **usage.HANDLERS,
    **webrtc.HANDLERS,
}
STEPS: Mapping[str, Step] = {
    **branded_calling.STEPS,
    **caller_ids.STEPS,
    **calls.STEPS,
    **documents.STEPS,
    **enterprise_registration.STEPS,
    **phone_numbers.STEPS,
    **reputation.STEPS,
    **sms.STEPS,
}
