/** How far a log has been read: `offset` bytes of the file with this inode (its number and creation time). */
export type LogPosition = Readonly<{ inode: string; offset: number }>;
