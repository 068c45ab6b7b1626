/** Posts to the URL again and again until it is stopped; a service that is away does not keep it from going on. */
export function startLoad(url: string, perSecond: number): Disposable {
  const timer = setInterval(() => {
    void fetch(url, { method: 'POST', signal: AbortSignal.timeout(5_000) })
      .then((response) => response.arrayBuffer())
      .catch(() => undefined);
  }, 1000 / perSecond);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
