"""What an application does with boto3 and nothing else to know about the sidecar."""
import boto3

s3 = boto3.client("s3")
s3.put_object(Bucket="data", Key="from-boto3", Body=b"written by boto3")
print(s3.get_object(Bucket="data", Key="from-boto3")["Body"].read().decode())
