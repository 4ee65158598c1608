import { BadResponseError } from "../../errors.js";
import { describeValue } from "./describe-value.js";

/** The result of eth_chainId. Throws a BadResponseError. */
export function parseChainId(raw: unknown, endpoint: string): number {
  const id = typeof raw === "string" && /^0x[0-9a-f]+$/i.test(raw) ? Number(raw) : Number.NaN;
  if (Number.isSafeInteger(id) && id > 0) return id;
  const actual = describeValue(raw);
  throw new BadResponseError({ endpoint, field: "eth_chainId", expected: "a chain id", actual });
}
