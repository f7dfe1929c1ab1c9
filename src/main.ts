#!/usr/bin/env node
import { run } from './cli/program.ts';
import { survivePipeErrors } from './cli/terminal.ts';

survivePipeErrors();
process.exitCode = await run(process.argv.slice(2));
