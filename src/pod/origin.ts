/**
 * What the runtime tells of a container once it has made it. It never changes while the container is there.
 */
export interface Origin {
  /** Digest reference of the image it runs; the image's id if it came from no registry. */
  readonly imageRef?: string;
  /** Full name of the image it runs. */
  readonly image?: string;
  /** As whom it runs; absent: the runtime does not tell, as containerd before 2.0. */
  readonly user?: LinuxUser;
}

/** Users and groups by number, as the container itself sees them. */
export interface LinuxUser {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups: readonly number[];
}

/** That part of something that has more. */
export function originOf({ imageRef, image, user }: Origin): Origin {
  return { imageRef, image, user };
}

/** What was told first stays: one image can have many names, and a status must not change with who is asked. */
export function settledOrigin(known: Origin, seen: Origin): Origin {
  return {
    imageRef: known.imageRef ?? seen.imageRef,
    image: known.image ?? seen.image,
    user: known.user ?? seen.user,
  };
}
