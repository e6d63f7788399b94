// support: what the page needs of a browser; gives a text that says what is missing, or "".

// The smallest module with an instruction of SIMD 128.
const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

export function missing() {
  if (typeof WebAssembly !== "object") return "This browser has no WebAssembly, or has it switched off.";
  if (!WebAssembly.validate(new Uint8Array(simd))) return "This browser's WebAssembly has no SIMD instructions.";
  if (typeof Worker !== "function") return "This browser has no workers.";
  if (typeof DecompressionStream !== "function") return "This browser cannot unpack gzip (DecompressionStream).";
  return "";
}
