import * as fc from 'fast-check';
import { ServicePort } from '@berth/contract';
import { describe, expect, test } from 'vitest';
import { imagePorts } from './image-ports.ts';

const declared = (label: string, exposedPorts: number[] = []): string[] =>
  imagePorts({ labels: { 'ai.backend.service-ports': label }, exposedPorts }).map(
    ({ name, port, protocol }) => `${name}:${port}/${protocol}`,
  );

describe('the services an image declares', () => {
  test.each<[string, number[], string[]]>([
    ['', [], []],
    ['jupyter:http:8081', [], ['jupyter:8081/http']],
    ['ipython:pty:3000, jupyter:http:8081,sftp:tcp:22', [], ['ipython:3000/tcp', 'jupyter:8081/http', 'sftp:22/tcp']],
    ['tensorboard:http:[6006,6007]', [], ['tensorboard:6006/http', 'tensorboard-6007:6007/http']],
    ['VS_Code:http:8180', [], ['vs-code:8180/http']],
    ['jupyter:http:8081', [8081, 9000], ['jupyter:8081/http', '9000:9000/tcp']],
    ['a:http:1000,a:http:1001,b:http:1000', [], ['a:1000/http']],
    ['none:http:0,much:http:70000,-:http:80,nonsense', [], []],
  ])('%j, EXPOSE %j', (label, exposed, services) => expect(declared(label, exposed)).toEqual(services));

  test('are of the form that others are, whatever its labels say', () => {
    const label = fc.oneof(
      fc.string(),
      fc.stringMatching(/^([a-zA-Z_-]{0,40}:(http|tcp|pty):(\d{1,6}|\[\d{1,6}(,\d{1,6}){0,3}\]),?){0,5}$/),
    );
    fc.assert(
      fc.property(label, fc.array(fc.integer({ min: 1, max: 65_535 })), (text, exposedPorts) => {
        const services = imagePorts({ labels: { 'ai.backend.service-ports': text }, exposedPorts });
        const distinct = (of: (service: ServicePort) => unknown): boolean => new Set(services.map(of)).size === services.length;
        return (
          services.every((service) => ServicePort.safeParse(service).success) &&
          distinct(({ name }) => name) &&
          distinct(({ port }) => port)
        );
      }),
    );
  });
});
