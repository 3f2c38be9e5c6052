ALTER TABLE `requests` ADD `cost_nano_usd` integer;--> statement-breakpoint
ALTER TABLE `requests` ADD `cost_provenance` text;--> statement-breakpoint
ALTER TABLE `requests` ADD `cost_detail` text;--> statement-breakpoint
ALTER TABLE `requests` ADD `usage_detail` text;
