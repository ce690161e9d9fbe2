import { request } from 'node:http';

/**
 * One call of the Docker Engine API over a unix socket (`unix:///run/docker.sock` or a path).
 * @param {string} host
 * @param {{ method?: string, path: string, body?: import('node:stream').Readable, timeoutMs?: number }} call
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
function open(host, call) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: host.replace(/^unix:\/\//, ''),
        method: call.method ?? 'GET',
        path: call.path,
        timeout: call.timeoutMs ?? 120_000,
        headers: call.body ? { 'content-type': 'application/x-tar' } : {},
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${host} did not answer ${call.path} in time`)));
    if (call.body) call.body.on('error', reject).pipe(outgoing);
    else outgoing.end();
  });
}

/** The answer's body: JSON where it is JSON, else text. Throws for a status of 400 and above, with the engine's own words. */
export async function engine(host, path, options = {}) {
  const response = await open(host, { path, ...options });
  let text = '';
  for await (const chunk of response) text += chunk;
  if (response.statusCode >= 400)
    throw Object.assign(new Error(`${options.method ?? 'GET'} ${path}: ${text.trim()}`), { status: response.statusCode });
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What /version says, or undefined when nobody answers within two seconds. */
export async function engineVersion(host) {
  try {
    return await engine(host, '/version', { timeoutMs: 2_000 });
  } catch {
    return undefined;
  }
}

/** The image's id on that engine, or undefined. */
export async function imageId(host, reference) {
  try {
    return (await engine(host, `/images/${reference}/json`)).Id;
  } catch (error) {
    if (error.status === 404) return undefined;
    throw error;
  }
}

/** The image as a stream, as of `docker save`. */
export async function saveImage(host, reference) {
  const saved = await open(host, { path: `/images/get?names=${encodeURIComponent(reference)}` });
  if (saved.statusCode !== 200) throw new Error(`${host} does not hand out ${reference}: status ${saved.statusCode}`);
  return saved;
}

/** Copies an image from one engine to another, as `docker save | docker load` would. */
export async function copyImage(from, to, reference) {
  const body = await saveImage(from, reference);
  await engine(to, '/images/load?quiet=1', { method: 'POST', body, timeoutMs: 600_000 });
}

/** Removes every container, network and volume of the engine. Only for engines that are ours alone. */
export async function emptyEngine(host) {
  for (const { Id } of await engine(host, '/containers/json?all=1')) {
    await engine(host, `/containers/${Id}?force=1&v=1`, { method: 'DELETE' }).catch(ignoreMissing);
  }
  for (const { Id, Name } of await engine(host, '/networks')) {
    if (!['bridge', 'host', 'none', 'podman'].includes(Name))
      await engine(host, `/networks/${Id}`, { method: 'DELETE' }).catch(ignoreMissing);
  }
  for (const { Name } of (await engine(host, '/volumes')).Volumes ?? []) {
    await engine(host, `/volumes/${encodeURIComponent(Name)}?force=1`, { method: 'DELETE' }).catch(ignoreMissing);
  }
}

function ignoreMissing(error) {
  if (error.status !== 404) throw error;
}
