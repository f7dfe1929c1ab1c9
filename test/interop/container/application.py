"""Writes an object and reads it each second for the given time, with what is in the environment and nothing else."""
import sys
import time

import boto3

s3 = boto3.client("s3")
s3.put_object(Bucket="data", Key="from-boto3", Body=b"written by boto3")
for _ in range(int(sys.argv[1])):
    time.sleep(1)
    text = s3.get_object(Bucket="data", Key="from-boto3")["Body"].read().decode()
print(text)
