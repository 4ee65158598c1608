export { wholeSpan as span } from "../../wording.js";
