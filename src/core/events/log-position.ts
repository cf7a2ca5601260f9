/** How far a log has been read: `offset` bytes of the file with this inode (its number, and when it was made). */
export type LogPosition = Readonly<{ inode: string; offset: number }>;
