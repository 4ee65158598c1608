// CPU of one request with an answer of 300 KB, by the wire that asks nodes over HTTP. The floor that it is held against is
// node:http with a kept connection, which collects the answer and does nothing else. Each is in a process of its own, and
// so is its server.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { forkProgram, programFile } from "../harness/program.js";
import { type Bench, figures, interleave, type Suite } from "../harness/suite.js";

const answerBytes = 300_000;
const atOnce = 8;

export const wire: Suite = {
  names: ["wire"],
  async run(bench) {
    const measured = await interleave(bench, {
      "node:http": () => cpuOfRequest(bench, "node:http"),
      blockmill: () => cpuOfRequest(bench, "blockmill"),
    });
    const against = [{ name: "node:http" as const, target: { atMost: 1 } }];
    return figures(measured, { benchmark: "wire", of: "blockmill", unit: "ms of CPU a request", against });
  },
};

/** In milliseconds of user and system time. */
async function cpuOfRequest({ quick }: Bench, by: "node:http" | "blockmill"): Promise<number> {
  const hex = "ab".repeat(answerBytes / 2);
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end(`{"jsonrpc":"2.0","id":1,"result":"0x${hex}"}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const program = forkProgram<number>({
    file: programFile("wire"),
    settings: { url: `http://127.0.0.1:${port}`, by, requests: quick ? 500 : 3_000, atOnce },
  });
  try {
    await program.ready;
    program.go();
    return await program.result;
  } finally {
    await program.kill();
    server.close();
    server.closeAllConnections();
  }
}
