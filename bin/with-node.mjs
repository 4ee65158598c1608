// Runs a command on another Node than the installed one: one that npm has, pinned in a lock file.
//
//   node bin/with-node.mjs 22|24|26 [--] COMMAND [ARGUMENT ...]
//
//   22   the oldest that blockmill runs on
//   24   the one that the package ships
//   26   the newest
//
// For example: node bin/with-node.mjs 26 -- npm test -- queue/

import { existsSync } from "node:fs";
import { continueOn, installNode, pinnedNode } from "./npm-node.mjs";

const folders = { 22: "test/nodes/22", 24: "packaging/runtime", 26: "test/nodes/26" };
const [wanted, ...rest] = process.argv.slice(2);
const [command, ...args] = rest[0] === "--" ? rest.slice(1) : rest;
if (!Object.hasOwn(folders, wanted ?? "") || command === undefined) {
  fail("usage: node bin/with-node.mjs 22|24|26 [--] COMMAND [ARGUMENT ...]", 2);
}
const pinned = pinnedNode(folders[wanted]);
if (pinned === undefined) fail(`npm has no Node ${wanted} for ${process.platform}-${process.arch}`, 1);
try {
  if (!existsSync(pinned.node)) console.log(`taking Node ${pinned.version} from npm`);
  installNode(pinned);
  await continueOn(pinned.node, command, args);
} catch (error) {
  fail(`${command} on Node ${pinned.version}: ${error.message}`, 1);
}

function fail(message, code) {
  console.error(message);
  process.exit(code);
}
