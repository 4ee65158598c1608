import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createNotifier, monotonicUsec } from "../../src/supervisor/systemd-notify.js";

test("fields that belong together are one message", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "blockmill-notify-"));
  const file = path.join(directory, "messages");
  const fd = openSync(file, "w");
  createNotifier(fd).send("READY=1", "STATUS=head 7");
  assert.equal(readFileSync(file, "utf8"), "READY=1\nSTATUS=head 7");
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

test("without a manager, or with one that is gone, nothing is sent and nothing thrown", () => {
  createNotifier(undefined).send("READY=1");
  const fd = openSync("/dev/null", "r");
  createNotifier(fd).send("READY=1");
  closeSync(fd);
});

test("the time of a reload is the monotonic clock's, in microseconds", () => {
  const before = process.hrtime.bigint() / 1_000n;
  const told = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(monotonicUsec())?.[1] ?? 0);
  assert(told >= before && told <= process.hrtime.bigint() / 1_000n);
});
