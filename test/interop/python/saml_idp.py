"""An identity provider made with pysaml2: prints its metadata and one response for each kind of signature."""
import base64
import json
import os
import sys
import tempfile

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.assertion import Policy
from saml2.authn_context import PASSWORD
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server

given = json.load(sys.stdin)
folder = tempfile.mkdtemp()

ATTRIBUTE_MAP = """
MAP = {"identifier": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri", "to": %r, "fro": %r}
"""

SERVICE = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
    <md:AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%s"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>"""


def write(name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


os.mkdir(os.path.join(folder, "maps"))
names = {f"a{index}": name for index, name in enumerate(given["attributes"])}
write("maps/aws.py", ATTRIBUTE_MAP % (names, {name: short for short, name in names.items()}))
config = IdPConfig()
config.load(
    {
        "entityid": given["entityId"],
        "xmlsec_binary": given["xmlsec1"],
        "attribute_map_dir": os.path.join(folder, "maps"),
        "key_file": write("key.pem", given["key"]),
        "cert_file": write("cert.pem", given["certificate"]),
        "metadata": {"inline": [SERVICE % (given["audience"], given["recipient"])]},
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": [("https://idp.example.com/sso", BINDING_HTTP_REDIRECT)]},
                "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
            }
        },
    }
)
server = Server(config=config)
values = {short: given["attributes"][name] for short, name in names.items()}


def respond(choices):
    response = server.create_authn_response(
        identity=values,
        in_response_to=None,
        destination=given["recipient"],
        sp_entity_id=given["audience"],
        name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=given["subject"]),
        authn={"class_ref": PASSWORD, "authn_auth": "https://idp.example.com"},
        release_policy=Policy({"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}}, server.metadata),
        **choices,
    )
    return base64.b64encode(str(response).encode("utf-8")).decode("ascii")


responses = [respond(choices) for choices in given["responses"]]
json.dump({"metadata": str(entity_descriptor(config)), "responses": responses}, sys.stdout)
