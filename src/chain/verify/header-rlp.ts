import type { Header } from "../../block.js";
import type { RlpWriter } from "./rlp.js";
import { present } from "./verification-error.js";

/**
 * Writes a header as its hash covers it. Every fork added fields at the end (EIP-1559 London, 4895
 * Shanghai, 4844 and 4788 Cancun, 7685 Prague), so the last field that is there tells the fork, and
 * all before it must be there too. Throws an UnencodableError if one is not.
 */
export function writeHeader(writer: RlpWriter, header: Header): void {
  const mark = writer.size;
  const shape = shapeOf(header);

  if (shape >= 6) writer.bytes(present(header.requestsHash, "requestsHash"));
  if (shape >= 5) writer.bytes(present(header.parentBeaconBlockRoot, "parentBeaconBlockRoot"));
  if (shape >= 4) writer.quantity(present(header.excessBlobGas, "excessBlobGas"));
  if (shape >= 3) writer.quantity(present(header.blobGasUsed, "blobGasUsed"));
  if (shape >= 2) writer.bytes(present(header.withdrawalsRoot, "withdrawalsRoot"));
  if (shape >= 1) writer.quantity(present(header.baseFeePerGas, "baseFeePerGas"));

  writer.bytes(present(header.nonce, "nonce"));
  writer.bytes(present(header.mixHash, "mixHash"));
  writer.bytes(header.extraData);
  writer.number(header.timestamp);
  writer.quantity(header.gasUsed);
  writer.quantity(header.gasLimit);
  writer.number(header.number);
  writer.quantity(present(header.difficulty, "difficulty"));
  writer.bytes(header.logsBloom);
  writer.bytes(header.receiptsRoot);
  writer.bytes(header.transactionsRoot);
  writer.bytes(header.stateRoot);
  writer.bytes(header.miner);
  writer.bytes(header.sha3Uncles);
  writer.bytes(header.parentHash);
  writer.closeList(mark);
}

/** How many of the optional fields the header has, up to the last one that is there. */
function shapeOf(header: Header): number {
  const optional = [
    header.baseFeePerGas,
    header.withdrawalsRoot,
    header.blobGasUsed,
    header.excessBlobGas,
    header.parentBeaconBlockRoot,
    header.requestsHash,
  ];
  return optional.findLastIndex((field) => field !== null) + 1;
}
