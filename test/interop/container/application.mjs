// Writes an object and reads it each second for the given time, with what is in the environment and nothing else.
import { setTimeout } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const s3 = new S3Client({});
const object = { Bucket: 'data', Key: 'from-javascript' };
await s3.send(new PutObjectCommand({ ...object, Body: 'written by the SDK for JavaScript' }));
let text = '';
for (let second = 0; second < Number(process.argv[2]); second += 1) {
  await setTimeout(1_000);
  const { Body } = await s3.send(new GetObjectCommand(object));
  text = await Body.transformToString();
}
process.stdout.write(`${text}\n`);
