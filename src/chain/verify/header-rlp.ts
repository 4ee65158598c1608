import type { Header } from "../../block.js";
import { headerFields } from "../../fields/header.js";
import type { RlpWriter } from "./rlp.js";
import { listWriterOf } from "./rlp-fields.js";

/**
 * Writes a header as its hash covers it. Every fork added fields at the end (EIP-1559 London, 4895
 * Shanghai, 4844 and 4788 Cancun, 7685 Prague), so the last field that is there tells the fork, and
 * all before it must be there too. Throws an UnencodableError if one is not.
 */
export const writeHeader: (writer: RlpWriter, header: Header) => void = listWriterOf(headerFields);
