/** `runAsNonRoot`: a promise about the user that is checked before the container is created. */
import type { Container, Pod } from '../pod/pod.ts';
import type { ImageUser } from './images.ts';

/** Why a container may not be created as asked (reason CreateContainerConfigError), if so. */
export function rootRefusal(pod: Pod, container: Container, image: ImageUser): string | undefined {
  const shared = pod.spec.securityContext;
  const own = container.securityContext;
  if (!(own.runAsNonRoot ?? shared.runAsNonRoot)) return undefined;
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  if (runAsUser !== undefined) {
    return runAsUser === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined;
  }
  if (image.uid === undefined) {
    return `container has runAsNonRoot and image has non-numeric user (${image.name}), cannot verify user is non-root ${where}`;
  }
  return image.uid === 0
    ? `container has runAsNonRoot and image will run as root ${where}`
    : undefined;
}
