import { KubeConfig } from '@kubernetes/client-node';
import { RuntimeError } from '../runtime.ts';

export interface KubeAccess {
  /** A file; without it $KUBECONFIG, else the service account of the pod this runs in, else ~/.kube/config. */
  readonly kubeconfig?: string | undefined;
  /** Else the file's current one. */
  readonly context?: string | undefined;
}

/** Where the cluster is and who we are there. Throws RuntimeError `fatal`. */
export function kubeAccess(access: KubeAccess, environment: Readonly<Record<string, string | undefined>> = process.env): KubeConfig {
  const kube = new KubeConfig();
  const named = access.kubeconfig ?? environment['KUBECONFIG'] ?? '';
  try {
    if (access.kubeconfig !== undefined) kube.loadFromFile(access.kubeconfig);
    else if (named === '' && environment['KUBERNETES_SERVICE_HOST'] !== undefined) kube.loadFromCluster();
    else kube.loadFromDefault();
  } catch (error) {
    throw unusable(`the kubeconfig ${named} cannot be used: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  if (access.context !== undefined) {
    const known = kube.getContexts().map(({ name }) => name);
    if (!known.includes(access.context))
      throw unusable(`the kubeconfig has no context "${access.context}", only ${known.join(', ') || 'none at all'}`);
    kube.setCurrentContext(access.context);
  }
  // What the library makes up where it finds nothing has no context.
  if (kube.getCurrentCluster() === null || kube.getCurrentContext() === 'loaded-context')
    throw unusable('no cluster is named: there is no kubeconfig, and this is no pod with a service account');
  return kube;
}

const unusable = (message: string, cause?: unknown): RuntimeError =>
  new RuntimeError(
    'fatal',
    { code: 'engine-unavailable', message, remedy: 'Name a kubeconfig that works with kubectl, by KUBECONFIG or the option.' },
    { cause },
  );
