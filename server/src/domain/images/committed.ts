const PATH_PART = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;

/**
 * What an image that a user made of a session is called on its engine. Each user has a folder of her own, so that nobody takes
 * another's name, or a built-in one; and the host is this machine's, so that no registry elsewhere can stand in for it.
 */
export function committedReference(owner: { readonly id: string; readonly name: string }, image: string): string {
  const folder = PATH_PART.test(owner.name) ? owner.name : owner.id;
  return `localhost/berth/${folder}/${image.includes(':') ? image : `${image}:latest`}`;
}
