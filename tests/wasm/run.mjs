// Runs a WebAssembly program under node: node run.mjs PROGRAM.wasm [ARGUMENT...]
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const wasi = new WASI({ version: "preview1", args: process.argv.slice(2) });
const program = await WebAssembly.compile(await readFile(process.argv[2]));
// One thread needs no clock, and a page has none to give.
if (WebAssembly.Module.imports(program).some(({ name }) => name === "clock_time_get"))
  throw new Error("the program asks for a clock");
const instance = await WebAssembly.instantiate(program, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(instance);
