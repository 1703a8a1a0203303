-- SPDX-License-Identifier: MIT
-- Where a checkout is, how the agent calls it, and to what repository it belongs.
local uv = vim.uv or vim.loop

local M = {}

-- The path, links resolved, or that of the nearest folder above it that is there.
local function real(path)
	local found = uv.fs_realpath(path)
	while not found and path:match('/') do
		path = path:match('^(.*)/[^/]*$')
		found = uv.fs_realpath(path == '' and '/' or path)
	end
	return found
end

-- The folder at or above a path that holds .git, or nil.
function M.checkout(path)
	local dir = real(path)
	while dir and not uv.fs_stat(dir .. '/.git') do
		dir = dir ~= '/' and dir:match('^(.*)/[^/]*$') or nil
		if dir == '' then dir = '/' end
	end
	return dir
end

local function first_line(path)
	local file = io.open(path)
	local line = file and file:read()
	if file then file:close() end
	return line
end

-- What .git says where it is a file.
local function git_dir(top)
	local line = first_line(top .. '/.git')
	local dir = line and line:match('^gitdir: (.*)$')
	return dir and not dir:match('^/') and top .. '/' .. dir or dir
end

-- How the agent calls it: main, or the name git gave to a linked one.
function M.name(top)
	local dir = git_dir(top)
	return dir and dir:match('/worktrees/([^/]+)/?$') or 'main'
end

-- The stat of its git common directory; nil where the environment names another.
function M.common(top)
	if os.getenv('GIT_DIR') or os.getenv('GIT_COMMON_DIR') then return nil end
	local dir = git_dir(top)
	if not dir then return uv.fs_stat(top .. '/.git') end
	local common = first_line(dir .. '/commondir')
	if not common then return uv.fs_stat(dir) end
	return uv.fs_stat(common:match('^/') and common or dir .. '/' .. common)
end

return M
