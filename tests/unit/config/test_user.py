"""Which keys of a user identity belong together, and that nothing secret goes in clear unless a site insists."""

from __future__ import annotations

import pytest

from agent.app.peers import user_of
from agent.config.load import parse
from agent.errors import ConfigError
from agent.link.user_identity import User

TLS = '[tls]\nca_file = "c"\ncertificate_file = "c"\nkey_file = "k"\n'
DESTINATION = '[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\n'


def configured(text: str, *, tls: bool = True) -> User | None:
    return user_of(parse(f"{TLS}{DESTINATION}tls = {str(tls).lower()}\n{text}", path="/etc/a.toml").destination[0])


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("", None),
        ('user_identity = "username"\nuser_name = "BOX\\\\müller"', User(1, "BOX\\müller")),
        ('user_identity = "passcode"\nuser_name = "u"\nuser_file = "p"', User(2, "u", "/etc/p")),
        ('user_identity = "kerberos"\nuser_file = "/t"\nuser_response = true', User(3, "", "/t", response=True)),
        ('user_identity = "saml"\nuser_file = "/s"', User(4, "", "/s")),
        ('user_identity = "jwt"\nuser_file = "/j"', User(5, "", "/j")),
    ],
)
def test_words(text: str, user: User | None) -> None:
    assert configured(text) == user


def test_a_name_goes_in_clear_and_more_only_if_a_site_insists() -> None:
    assert configured('user_identity = "username"\nuser_name = "u"', tls=False) == User(1, "u")
    jwt = 'user_identity = "jwt"\nuser_file = "/j"\n'
    with pytest.raises(ConfigError, match=r"destination\[0\].user_identity: 'jwt' would go over the network in clear"):
        configured(jwt, tls=False)
    assert configured(f"{jwt}user_in_clear = true", tls=False) == User(5, "", "/j", in_clear=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('user_name = "u"', r"user_name: is of no use without user_identity"),
        ("user_response = true", r"user_response: is of no use without user_identity"),
        ('user_identity = "username"', r"user_name: is empty, but user_identity is 'username'"),
        ('user_identity = "passcode"\nuser_name = "u"', r"user_file: is empty, but user_identity is 'passcode'"),
        ('user_identity = "saml"\nuser_file = "s"\nuser_name = "u"', r"user_name: is of no use with .* 'saml'"),
        ('user_identity = "username"\nuser_name = "u"\nuser_file = "s"', r"user_file: is of no use with"),
        ('user_identity = "password"', r"'password' is not one of '', username, passcode, kerberos, saml, jwt"),
        ('user_identity = "username"\nuser_name = "a\\u0007"', r"user_name: holds a control character"),
    ],
)
def test_keys_that_do_not_belong_together(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configured(text)
