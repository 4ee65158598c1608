// Preloaded into a daemon (--import): to it the machine is idle, whatever else runs there.

import { syncBuiltinESMExports } from "node:module";
import os from "node:os";

const { cpus } = os;
const started = performance.now();

os.cpus = () => {
  const idle = Math.round(performance.now() - started);
  return cpus().map((cpu) => ({ ...cpu, times: { user: 0, nice: 0, sys: 0, idle, irq: 0 } }));
};
syncBuiltinESMExports();
