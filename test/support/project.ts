// Where things lie in the checkout. Compiled tests run from <output folder>/test/support.

import { fileURLToPath } from "node:url";

/** The checkout: the folder that holds package.json and schema.sql. Ends with a slash. */
export const projectRoot = fileURLToPath(new URL("../../../", import.meta.url));

/** The compiled tests: the folder that holds run.js. Ends with a slash. */
export const compiledTests = fileURLToPath(new URL("../", import.meta.url));

/** The program as its users start it. */
export const programFile = `${projectRoot}bin/blockmill`;
