import { expect, it } from 'vitest';
import { plainSpec } from '../runtime-conformance.ts';
import { namesInPod, serviceManifest } from './service-manifest.ts';

const options = { instance: 'here', namespace: 'sessions' };

it('makes no service for a session of one container', () => {
  const spec = plainSpec('image', { hostname: 'Train.7' });
  expect(serviceManifest(spec, options)).toBeUndefined();
  expect(namesInPod(spec, options)).toEqual({ hostname: 'train-7' });
});

it('makes one for all containers of a generation, by which they find each other before they are ready', () => {
  const spec = plainSpec('image', { peers: ['sub1'] });
  const service = serviceManifest(spec, options);
  const name = `berth-${spec.ref.sessionId}-g1`;
  expect(service?.metadata?.name).toBe(name);
  expect(service?.spec).toEqual({
    clusterIP: 'None',
    selector: { 'berth.instance': 'here', 'berth.session': spec.ref.sessionId, 'berth.generation': '1' },
    publishNotReadyAddresses: true,
  });
  expect(serviceManifest({ ...spec, ref: { ...spec.ref, container: 'sub1' } }, options)).toEqual(service);
  expect(namesInPod(spec, options)).toEqual({
    hostname: 'main1',
    subdomain: name,
    dnsConfig: { searches: [`${name}.sessions.svc.cluster.local`] },
  });
});
