#!/usr/bin/env node
/** The command `waybill` of an installed package: plain JavaScript that any Node reads, so that one which is too old is told so. */
const neededMajor = 24;
const [major] = process.versions.node.split('.');
if (Number(major) >= neededMajor) {
  await import('../../waybill.js');
} else {
  process.stderr.write(`waybill: it needs Node ${neededMajor} or later; this is Node ${process.versions.node}\n`);
  process.exitCode = 1;
}
