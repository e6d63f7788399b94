// Engine: one instance of eigan's module, which holds one model or one training. Bytes go in through its inbox and come
// back through its outbox. An error ends the instance; `again` makes it anew for the next call.

export class Engine {
  /** @param module a WebAssembly.Module; begin: what each new instance is given, as arguments of `call` */
  constructor(module, ...begin) {
    this.module = module;
    this.begin = begin;
    this.result = this.again();
  }

  again() {
    this.wasm = new WebAssembly.Instance(this.module, nothing(this.module)).exports;
    this.wasm._initialize();
    this.wasm.start();
    return this.call(...this.begin);
  }

  /** Calls a function of the module with bytes in its inbox; gives a copy of its outbox. */
  call(name, bytes, ...numbers) {
    try {
      if (bytes) {
        const place = this.wasm.inbox(bytes.byteLength);
        new Uint8Array(this.wasm.memory.buffer, place, bytes.byteLength).set(asBytes(bytes));
      }
      this.wasm[name](...numbers);
      return this.outbox();
    } catch (trap) {
      const text = new TextDecoder().decode(this.outbox());
      const wasReady = this.result;
      if (wasReady) this.again();
      throw new Error(text || "The module stopped: " + trap.message);
    }
  }

  outbox() {
    const bytes = new Uint8Array(this.wasm.memory.buffer, this.wasm.outbox(), this.wasm.outbox_size());
    return bytes.slice();
  }
}

const asBytes = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** What the C library asks of a system; there is none here, and every call says so. */
function nothing(module) {
  const imports = {};
  const badFile = 8;
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => badFile;
  }
  return imports;
}
