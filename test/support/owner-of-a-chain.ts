// A program for anvil.test.ts to kill: it owns a chain, says its process id, and stays.

import { startAnvil } from "./anvil.js";

const chain = await startAnvil();
console.log(String(chain.pid));
setInterval(() => {}, 60_000);
