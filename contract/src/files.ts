import { z } from 'zod';

/** The longest path and the longest name in it, in bytes: what Linux takes. */
export const PATH_LIMITS = { path: 4095, name: 255 } as const;

const Path = z.string().max(PATH_LIMITS.path);
const PLACES = {
  description:
    'In the work folder: "x"; "/home/work/x", or a path that begins with that folder, means the same. In a storage: its path inside. No ".."',
};
export const FilePath = Path.meta(PLACES);
export const FolderPath = Path.default('.').meta(PLACES);

export const FileEntry = z.object({
  name: z.string().meta({ description: 'Bytes that are not UTF-8 are shown as U+FFFD' }),
  kind: z.enum(['file', 'folder', 'link', 'other']),
  size: z.number().int().meta({ description: 'Bytes' }),
  mode: z.string().meta({ description: 'As `ls -l` writes it: "-rw-r--r--"' }),
  modifiedAt: z.iso.datetime().meta({ description: 'RFC 3339, UTC, to the second' }),
  accessedAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
});
export type FileEntry = z.output<typeof FileEntry>;

export const FolderListing = z.object({
  path: z.string().meta({ description: 'In the work folder, which is "."; absolute in a storage' }),
  folder: z.string().meta({ description: 'Where it is in the container' }),
  entries: z.array(FileEntry).meta({ description: 'By name; hidden ones, too' }),
  complete: z.boolean().meta({ description: 'false: it holds more than 10,000, and these are the first' }),
});
export type FolderListing = z.output<typeof FolderListing>;

export const FileWritten = z.object({
  path: z.string().meta({ description: 'In the work folder; absolute in a storage' }),
  size: z.number().int().meta({ description: 'Bytes' }),
});
export type FileWritten = z.output<typeof FileWritten>;
