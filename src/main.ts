#!/usr/bin/env node
import { run } from './cli/program.ts';
import { surviveWriteErrors } from './cli/terminal.ts';

surviveWriteErrors();
process.exitCode = await run(process.argv.slice(2));
