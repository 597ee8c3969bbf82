// Speaks to /api/v1. Every failure becomes a Problem with the server's sentence and cure.

export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? `The server answered with status ${status}.`);
    this.status = status;
    this.code = body?.code ?? null;
    this.hint = body?.hint ?? "";
  }
}

export async function call(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, {
      method,
      // The header says that our own page asks: a foreign page cannot set it.
      headers: { "X-ImageForge": "1", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, { detail: "The server does not answer.", hint: "Check that it runs and that the network reaches it." });
  }
  const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
  const content = isJson ? await answer.json() : null;
  if (!answer.ok) throw new Problem(answer.status, content);
  return content;
}

export const get = (path) => call("GET", path);
export const post = (path, body, headers) => call("POST", path, body, headers);
