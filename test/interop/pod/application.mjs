// What an application does with the AWS SDK for JavaScript and nothing else to know about the sidecar; this SDK wants to
// be told a region, by code or by a variable.
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const s3 = new S3Client({ region: 'us-east-1' });
const object = { Bucket: 'data', Key: 'from-javascript' };
await s3.send(new PutObjectCommand({ ...object, Body: 'written by the JavaScript SDK' }));
const { Body } = await s3.send(new GetObjectCommand(object));
process.stdout.write(`${await Body.transformToString()}\n`);
