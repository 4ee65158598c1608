import { main } from "./fuzz.js";

process.exitCode = main(process.argv.slice(2));
