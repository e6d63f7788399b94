// Helper: a worker, asked by name; the answer is a promise. The page stays awake while it computes.

export class Helper {
  constructor(address, module) {
    this.worker = new Worker(address);
    this.waiting = new Map();
    this.number = 0;
    this.worker.onmessage = ({ data }) => this.answer(data);
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message));
      this.waiting.clear();
    };
    this.worker.postMessage({ module });
  }

  /** @param told called with what the worker tells on its way to the answer */
  ask(what, details = {}, told = () => {}) {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.number, { resolve, reject, told });
      this.worker.postMessage({ number: this.number, what, ...details });
    });
  }

  answer({ number, result, error, tells }) {
    const { resolve, reject, told } = this.waiting.get(number) ?? {};
    if (!resolve) return;
    if (tells) return told(tells);
    this.waiting.delete(number);
    if (error !== undefined) reject(new Error(error));
    else resolve(result);
  }
}

/** Calls `work` with the latest arguments only: while one call runs, those that come meanwhile replace each other. */
export function latest(work) {
  let busy = false;
  let next = null;
  return async function call(...details) {
    next = details;
    if (busy) return;
    busy = true;
    try {
      while (next) {
        const now = next;
        next = null;
        await work(...now);
      }
    } finally {
      busy = false;
    }
  };
}
