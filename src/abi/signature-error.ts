import { BlockmillError } from "../errors.js";

/**
 * A signature, an item of an ABI or a rename that no table can be made of. The message names it, and says what was
 * expected. Whoever read it (a key of the configuration, an option) says where it stands.
 */
export class SignatureError extends BlockmillError {
  readonly disposition = "fatal-process";
}
