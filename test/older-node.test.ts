// The README's commands go on with the pinned Node from npm where an older one is installed; the program says what
// it needs. The newer Node and npm are played by shell scripts: what runs these tests is the older one.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { projectRoot } from "./support/project.js";

const supported = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);
const needsNpmsNode = { skip: supported ? false : "npm has no newer Node for this machine" };
const nodePackage = `node-${process.platform}-${process.arch}`;
const floor = ">=98.1";
const pinned = "99.0.1";

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  lines: string[];
}

/** A checkout whose floor is above this Node. `node` is what its pinned one does, as a shell script. */
async function checkout(t: TestContext, { node }: { node: string }) {
  const root = await mkdtemp(path.join(tmpdir(), "blockmill-older-node-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  await cp(path.join(projectRoot, "bin"), path.join(root, "bin"), { recursive: true });
  await writeFile(
    path.join(root, "package.json"),
    JSON.stringify({ type: "module", engines: { node: floor } }),
  );
  await mkdir(path.join(root, "packaging/runtime"), { recursive: true });
  const manifest = JSON.stringify({ optionalDependencies: { [nodePackage]: pinned } });
  for (const file of ["package.json", "package-lock.json"]) {
    await writeFile(path.join(root, "packaging/runtime", file), manifest);
  }
  await writeFile(path.join(root, "newer-node"), `#!/bin/sh\n${node}\n`);
  await chmod(path.join(root, "newer-node"), 0o755);
  await writeFile(
    path.join(root, "npm"),
    `#!/bin/sh
echo "$*" >> ${root}/npm-calls
mkdir -p node_modules/${nodePackage}/bin && cp ${root}/newer-node node_modules/${nodePackage}/bin/node
`,
  );
  await chmod(path.join(root, "npm"), 0o755);

  const start = (...args: string[]) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, PATH: `${root}:${process.env.PATH}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    const heard = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          if (text.includes("ready\n")) resolve();
        });
      }
    });
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal, lines: text.trimEnd().split("\n") }));
    });
    return { child, heard, ended };
  };
  const npmCalls = async () => {
    const calls = path.join(root, "npm-calls");
    return existsSync(calls) ? (await readFile(calls, "utf8")).trimEnd().split("\n") : [];
  };
  return { root, run: (...args: string[]) => start(...args).ended, start, npmCalls };
}

const needs = `blockmill needs Node ${floor}; this is ${process.version}`;

test(
  "an older Node takes the pinned one from npm once, says so in a line, and goes on",
  needsNpmsNode,
  async (t) => {
    const { root, run, npmCalls } = await checkout(t, {
      node: 'echo "$@"; command -v node; echo "$NODE"; echo "$npm_node_execpath"; exit 7',
    });
    const script = path.join(root, "bin/dev.mjs");
    const node = path.join(
      root,
      `.node/${pinned}-${process.platform}-${process.arch}/node_modules/${nodePackage}/bin/node`,
    );
    const expected = [
      `${needs}: going on with Node ${pinned} from npm`,
      `${script} test --repeat 2 queue/`,
      ...[node, node, node],
    ];
    for (let time = 1; time <= 2; time += 1) {
      const { code, lines } = await run(script, "test", "--repeat", "2", "queue/");
      assert.deepEqual(lines, expected);
      assert.equal(code, 7);
    }
    const [call, ...more] = await npmCalls();
    assert.match(call ?? "", /^ci --ignore-scripts /);
    assert.deepEqual(more, [], "the second run does not ask npm");
    assert.deepEqual(await readdir(path.join(root, ".node")), [
      `${pinned}-${process.platform}-${process.arch}`,
    ]);
  },
);

/** Says that it heard the signal; ends without that where nobody is left to pass one on. */
const untilSignal = (name: string) =>
  `trap 'echo got ${name}; exit 5' ${name}; echo ready; while kill -0 $PPID 2> /dev/null; do sleep 0.1; done`;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} reaches what runs on the newer Node, whose exit code is kept`, needsNpmsNode, async (t) => {
    const name = signal.slice(3);
    const { root, start } = await checkout(t, {
      node: untilSignal(name),
    });
    const { child, heard, ended } = start(path.join(root, "bin/dev.mjs"), "demo");
    await heard;
    child.kill(signal);
    const { code, lines } = await ended;
    assert.deepEqual(lines.slice(1), ["ready", `got ${name}`]);
    assert.equal(code, 5);
  });
}

test("a signal that comes while the newer Node is being started reaches it too", needsNpmsNode, async (t) => {
  const { root, start } = await checkout(t, {
    node: untilSignal("TERM"),
  });
  const sent = path.join(root, "sent");
  // The machine is busy: spawn has started the process, and returns only when the signal was sent.
  await writeFile(
    path.join(root, "slow-spawn.cjs"),
    `const processes = require("node:child_process");
const { spawn } = processes;
processes.spawn = (...args) => {
  const child = spawn(...args);
  while (!require("node:fs").existsSync(${JSON.stringify(sent)}));
  return child;
};
require("node:module").syncBuiltinESMExports();
`,
  );
  const { child, heard, ended } = start(
    "--require",
    path.join(root, "slow-spawn.cjs"),
    path.join(root, "bin/dev.mjs"),
    "demo",
  );
  await heard;
  child.kill("SIGTERM");
  await writeFile(sent, "");
  const { code, lines } = await ended;
  assert.deepEqual(lines.slice(1), ["ready", "got TERM"]);
  assert.equal(code, 5);
});

test("the end by a signal is passed on as one", needsNpmsNode, async (t) => {
  const { root, run } = await checkout(t, { node: "kill -TERM $$" });
  const { code, signal } = await run(path.join(root, "bin/dev.mjs"), "demo");
  assert.deepEqual({ code, signal }, { code: null, signal: "SIGTERM" });
});

test("where npm brings no Node, the message says which one to install", needsNpmsNode, async (t) => {
  const { root, run } = await checkout(t, { node: "" });
  await writeFile(path.join(root, "npm"), "#!/bin/sh\nexit 3\n");
  const { code, lines } = await run(path.join(root, "bin/dev.mjs"), "demo");
  assert.equal(lines[1], `Node ${pinned} from npm: npm ci failed (3). Install Node ${floor}`);
  assert.equal(code, 1);
  assert.deepEqual(await readdir(path.join(root, ".node")), [], "nothing unfinished is left");
});

test("the program itself names the Node that it needs, and is not started again", async (t) => {
  const { root, run } = await checkout(t, { node: "" });
  const { code, lines } = await run(path.join(root, "bin/blockmill"), "start");
  assert.deepEqual(lines, [
    `blockmill: this is Node ${process.version} (${process.execPath}); install Node ${floor}`,
  ]);
  assert.equal(code, 78);
});

test("the package's Node satisfies the floor", async () => {
  const { engines } = JSON.parse(await readFile(path.join(projectRoot, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const runtime = JSON.parse(
    await readFile(path.join(projectRoot, "packaging/runtime/package.json"), "utf8"),
  ) as { optionalDependencies: Record<string, string> };
  const { isOlder } = (await import(`${projectRoot}bin/node-version.mjs`)) as {
    isOlder(version: string, than: string): boolean;
  };
  for (const version of Object.values(runtime.optionalDependencies)) {
    assert(!isOlder(version, engines.node), version);
  }
});
