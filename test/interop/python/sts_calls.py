"""Calls one operation of STS with boto3, or asks a profile who it is; prints the result, or the error's code, as JSON."""
import json
import sys

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

given = json.load(sys.stdin)
keys = given.get("keys") or {}
config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})


def client(service):
    return boto3.client(
        service,
        endpoint_url=given["endpoint"],
        region_name="us-east-1",
        aws_access_key_id=keys.get("AccessKeyId", "none"),
        aws_secret_access_key=keys.get("SecretAccessKey", "none"),
        aws_session_token=keys.get("SessionToken"),
        config=config,
    )


def profile():
    """Who a profile is, whose role wants a code."""
    session = botocore.session.Session(profile=given["profile"])
    provider = session.get_component("credential_provider").get_provider("assume-role")
    provider._prompter = lambda prompt: given["code"]
    return session.create_client("sts", region_name="us-east-1").get_caller_identity()


try:
    if "profile" in given:
        result = profile()
    else:
        call = getattr(client(given.get("service", "sts")), given["operation"])
        result = call(**given.get("parameters", {}))
    result.pop("ResponseMetadata", None)
    print(json.dumps(result, default=str))
except ClientError as error:
    print(json.dumps({"Code": error.response["Error"]["Code"], "Message": error.response["Error"]["Message"]}))
