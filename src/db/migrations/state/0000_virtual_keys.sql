CREATE TABLE `key_changes` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`key_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	FOREIGN KEY (`key_id`) REFERENCES `virtual_keys`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `virtual_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`token_hash` text NOT NULL,
	`token_hint` text NOT NULL,
	`models` text,
	`bodies` text,
	`enabled` integer NOT NULL,
	`expires_at_ms` integer,
	`revoked_at_ms` integer,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `virtual_keys_token_hash_unique` ON `virtual_keys` (`token_hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `virtual_keys_live_name` ON `virtual_keys` (`name`) WHERE revoked_at_ms IS NULL;--> statement-breakpoint
CREATE INDEX `virtual_keys_name` ON `virtual_keys` (`name`);