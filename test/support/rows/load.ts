const EVERY_MS = 50;

/** Sends a request 20 times a second until it is stopped; a service that is away does not keep it from going on. */
export function startLoad(url: string, init: RequestInit): Disposable {
  const timer = setInterval(() => {
    void fetch(url, { ...init, signal: AbortSignal.timeout(5_000) })
      .then((response) => response.arrayBuffer())
      .catch(() => undefined);
  }, EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
