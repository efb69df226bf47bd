#!/usr/bin/env node
/** The command line of Waybill. */
process.stdout.write(`Waybill on Node ${process.versions.node}: ${process.argv.slice(2).join(' ')}\n`);
