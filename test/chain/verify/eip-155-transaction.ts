import { transactionOf } from "./made-proof.js";

/** The example of EIP-155, signed with the key 0x4646...46. */
export const eip155 = transactionOf({
  from: "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f",
  to: `0x${"35".repeat(20)}`,
  nonce: "0x9",
  gasPrice: "0x4a817c800",
  gas: "0x5208",
  value: "0xde0b6b3a7640000",
  v: "0x25",
  r: "0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276",
  s: "0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
});

/** What the EIP says that was signed. */
export const eip155SigningHash = "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
