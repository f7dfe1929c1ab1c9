/*
 * The entry of the thread that reads the configuration again. It is started for each reload, and ends after it.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { policyVocabulary } from '../app/policy-vocabulary.ts';
import { readForAnotherThread } from '../config/passed-configuration.ts';

parentPort?.postMessage(readForAnotherThread(workerData, policyVocabulary));
