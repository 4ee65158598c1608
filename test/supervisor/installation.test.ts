import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { followInstallation } from "../../src/supervisor/installation.js";
import { projectRoot } from "../support/project.js";

const place = realpathSync(mkdtempSync(path.join(tmpdir(), "blockmill-installation-")));
after(() => rmSync(place, { recursive: true }));
const own = path.join(projectRoot, "dist/");

test("a program that was not started through a link is its own and only release", () => {
  for (const program of [path.join(place, "bin/blockmill"), ""])
    assert.deepEqual(followInstallation(program)(), { code: own, node: process.execPath });
});

test("a link that is set to another release is followed, with the Node that it brings", () => {
  const link = path.join(place, "current");
  symlinkSync(projectRoot, link);
  const newest = followInstallation(path.join(link, "bin/blockmill"));
  assert.equal(newest().code, own.slice(0, -1));

  const next = path.join(place, "next");
  mkdirSync(path.join(next, "dist"), { recursive: true });
  unlinkSync(link);
  symlinkSync(next, link);
  assert.deepEqual(newest(), { code: path.join(next, "dist"), node: process.execPath });

  mkdirSync(path.join(next, "runtime/bin"), { recursive: true });
  writeFileSync(path.join(next, "runtime/bin/node"), "");
  assert.equal(newest().node, path.join(next, "runtime/bin/node"));

  unlinkSync(link);
  assert.equal(newest().code, own, "without the link it goes on with its own");
});
