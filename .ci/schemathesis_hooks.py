"""What the check must not do to itself: revoke the token that it asks with, or shut out its own account."""

import os

import schemathesis

OWN = {os.environ["MARQUEE_TOKEN_ID"], os.environ["MARQUEE_ACCOUNT_ID"]}
NOBODY = "0" * 32


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.method.upper() in ("DELETE", "PATCH", "PUT"):
        for name, value in list(case.path_parameters.items()):
            if value in OWN:
                case.path_parameters[name] = NOBODY
