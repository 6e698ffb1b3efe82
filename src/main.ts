#!/usr/bin/env -S node --max-semi-space-size=64
import { processIo, runCli } from './cli/index.js'

process.exitCode = await runCli(process.argv.slice(2), processIo())
