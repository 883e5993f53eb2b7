"""The forms of the second factor, apart from the login page: they bring what the site alone needs, and take long."""

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from axes.handlers.proxy import AxesProxyHandler
from django import forms


class CodeForm(AuthenticateForm):  # type: ignore[misc]  # allauth says nothing of types
    """The code after the password: who fails too often is locked out as with the password."""

    def clean_code(self) -> str:
        """Return the code; raise ValidationError for a wrong one, and for any while its user is locked out."""
        request, who = context.request, {"username": self.user.get_username()}
        if not AxesProxyHandler.is_allowed(request, who):
            request.axes_locked_out, request.axes_credentials = True, who  # the page is its middleware's
            raise forms.ValidationError("Locked for a while.")
        code: str = super().clean_code()
        return code


class PasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey after the password; what a browser would not send is none, and no error of the server's either."""

    def clean_credential(self) -> Any:
        """Return what the browser says of the passkey; raise ValidationError for what is none."""
        try:
            return super().clean_credential()
        except (KeyError, TypeError, ValueError) as error:
            raise forms.ValidationError("It is none.") from error
