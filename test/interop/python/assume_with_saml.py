"""Assumes a role with an assertion, without credentials, and prints what the client made of the answer."""
import json
import sys

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

given = json.load(sys.stdin)
client = boto3.client(
    "sts",
    endpoint_url=given["endpoint"],
    region_name="us-east-1",
    config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1}),
)
try:
    answer = client.assume_role_with_saml(**given["parameters"])
    answer.pop("ResponseMetadata")
    json.dump(answer, sys.stdout, default=str)
except ClientError as error:
    response = error.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    json.dump({"code": response["Error"]["Code"], "message": response["Error"]["Message"], "status": status}, sys.stdout)
