-- SPDX-License-Identifier: MIT
-- The stories of nvim.sh, as told inside Neovim; STORY names one.  Prints lines of "ok" and
-- "not ok" for the shell to count.
local api, fn = vim.api, vim.fn
local said = {}
vim.notify = function(text, level) said[#said + 1] = { text = text, level = level } end
vim.o.swapfile = false

-- -- What was seen --------------------------------------------------------

local function write(line) io.stdout:write(line .. '\n') end

local function ok(fine, sentence, got)
	write((fine and 'ok ' or 'not ok ') .. sentence)
	if not fine then write('#	got: ' .. vim.inspect(got):gsub('\n', '\n#	')) end
end

local function is(got, wanted, sentence) ok(vim.deep_equal(got, wanted), sentence, got) end
local function like(got, pattern, sentence)
	ok(type(got) == 'string' and got:find(pattern) ~= nil, sentence, got)
end

-- Wait until it is so, as long as a slow machine may take.
local function until_so(condition) return vim.wait(20000, condition, 10) end

-- What was told last, once something was.
local function told(command)
	said = {}
	if command then vim.cmd(command) end
	until_so(function() return #said > 0 end)
	return said[1] and said[1].text
end

local function level() return said[1] and said[1].level end

local function tpctl(words) return fn.system('tpctl ' .. words) end

local function put(path, lines)
	fn.mkdir(fn.fnamemodify(path, ':h'), 'p')
	fn.writefile(lines, path)
end

local function ticket(id, state, title)
	put(
		('tickets/%s/item.md'):format(id),
		{ '---', 'title: ' .. (title or id), 'state: ' .. state, '---' }
	)
end

local marks = require('ticketplan.marks')

-- The text behind the lines of a buffer, {[line] = text}.
local function behind(buf)
	local lines = {}
	for _, mark in
		ipairs(api.nvim_buf_get_extmarks(buf or 0, marks.said, 0, -1, { details = true }))
	do
		local parts = vim.tbl_map(function(part) return part[1] end, mark[4].virt_text)
		lines[mark[2] + 1] = vim.trim(table.concat(parts))
	end
	return lines
end

local function state_text(wanted, buf)
	until_so(function() return (behind(buf)[3] or ''):find(wanted) ~= nil end)
	return behind(buf)[3]
end

local function edit(path) vim.cmd('edit ' .. path) end
local function press(keys)
	api.nvim_feedkeys(api.nvim_replace_termcodes(keys, true, false, true), 'tx', false)
end
local function here() return fn.fnamemodify(api.nvim_buf_get_name(0), ':.') end
local function lines() return api.nvim_buf_get_lines(0, 0, -1, false) end

-- A float's lines.
local function card()
	local found
	until_so(function()
		for _, win in ipairs(api.nvim_list_wins()) do
			if api.nvim_win_get_config(win).relative ~= '' then
				found = table.concat(
					api.nvim_buf_get_lines(
						api.nvim_win_get_buf(win),
						0,
						-1,
						false
					),
					'\n'
				)
			end
		end
		return found ~= nil
	end)
	return found
end

-- Give the current lines of a window once they are as wanted.
local function shows(pattern)
	until_so(function() return table.concat(lines(), '\n'):find(pattern) ~= nil end)
	return table.concat(lines(), '\n')
end

-- -- Stories --------------------------------------------------------------

local stories = {}

local function verdicts()
	edit('tickets/a/item.md')
	is(
		state_text('held'),
		'○ held  blocked b',
		'verdict and reason stand behind the state, and the agent was started for it'
	)
	local found = vim.diagnostic.get(0)
	is(
		{ #found, found[1].lnum, found[1].code, found[1].severity },
		{ 1, 2, 'blocked', vim.diagnostic.severity.WARN },
		'the reason is a diagnostic at the state'
	)
	like(
		found[1].message,
		'^blocked by b "The second" %(inprogress%); ends when .*Needs the rows',
		'that says all of it'
	)
	is(
		{ vim.b.ticketplan_ticket, vim.b.ticketplan_verdict },
		{ 'a', 'held' },
		'and a status line may have it'
	)
	edit('tickets/b/item.md')
	is(state_text('not queued'), '· not queued', 'a Ticket that is not queued')
	edit('tickets/c/item.md')
	is(state_text('clear'), '● clear', 'a Ticket that is clear')
	is(#vim.diagnostic.get(0), 0, 'has no diagnostic')
	edit('tickets/a/artifacts/orchestration-plan.jsonl')
	until_so(function() return behind()[2] end)
	is(behind(), { 'live', 'live' }, 'what has become of each record stands behind its line')
end

local function problems()
	ticket('d', 'wrong')
	edit('tickets/d/item.md')
	until_so(function() return #vim.diagnostic.get(0) > 0 end)
	local found = vim.diagnostic.get(0)
	is(
		{ found[1].code, found[1].lnum, found[1].severity },
		{ 'bad_state', 2, vim.diagnostic.severity.ERROR },
		'what is wrong in a file is shown at its line'
	)
	fn.delete('tickets/d', 'rf')
end

local function completion()
	edit('tickets/c/item.md')
	press('Gosee sec<C-x><C-o><Esc>')
	is(fn.getline('$'), 'see b', 'a Ticket is completed by its title')
	press('o{"kind": "conf<C-x><C-o><Esc>')
	is(fn.getline('$'), '{"kind": "conflicts_with', 'a kind where one must stand')
	press('oafter r-1<C-x><C-o><Esc>')
	is(fn.getline('$'), 'after r-1', 'a record by its id')
	press('ggjjccstate: in<C-x><C-o><Esc>')
	is(fn.getline(3), 'state: inprogress', 'a state where that must stand')
	vim.cmd('edit!')
	is(fn.getcompletion('Tp bri', 'cmdline'), { 'brief' }, ':Tp completes its words')
	is(fn.getcompletion('Tp check ', 'cmdline'), { 'a', 'b', 'c' }, 'and Tickets')
	ticket('cc', 'planning')
	is(fn.getcompletion('Tp check c', 'cmdline'), { 'c', 'cc' }, 'also one that came just now')
	fn.delete('tickets/cc', 'rf')
	is(fn.getcompletion('Tp record a conf', 'cmdline'), { 'conflicts-with' }, 'and kinds')
	is(fn.getcompletion('Tp record wai', 'cmdline'), { 'waiting' }, 'by their short names')
	is(
		fn.getcompletion('Tp record after ', 'cmdline'),
		{ 'a', 'b', 'c' },
		'and the other Ticket, of the Ticket at hand'
	)
	edit('tickets/a/item.md')
	is(fn.getcompletion('Tp retract r-', 'cmdline'), { 'r-1', 'r-2' }, 'and its records')
end

local function jumps()
	edit('tickets/c/item.md')
	fn.setline(1, 'Like b, and r-2.')
	fn.cursor(1, 6)
	vim.bo.modified = false
	press('gf')
	is(here(), 'tickets/b/item.md', 'gf goes to a Ticket')
	vim.cmd('edit! tickets/c/item.md')
	fn.setline(1, 'Like b, and r-2.')
	fn.cursor(1, 14)
	vim.o.hidden = true
	press('<C-]>')
	is(
		{ here(), fn.line('.') },
		{ 'tickets/a/artifacts/orchestration-plan.jsonl', 2 },
		'CTRL-] to a record, at its very line'
	)
	press('<C-t>')
	is({ here(), fn.line('.') }, { 'tickets/c/item.md', 1 }, 'and CTRL-T comes back')
	vim.cmd('edit!')
	vim.cmd('Tp show a')
	until_so(function() return here() == 'tickets/a/item.md' end)
	is(here(), 'tickets/a/item.md', ':Tp show goes to a Ticket')
	vim.cmd('Tp show r-1')
	until_so(function() return fn.line('.') == 1 and here():find('plan') ~= nil end)
	is(here(), 'tickets/a/artifacts/orchestration-plan.jsonl', 'and to a record')
end

local function views()
	edit('tickets/a/item.md')
	state_text('held')
	vim.cmd('Tp check')
	like(
		card(),
		'^ a  queued  ○ held%s+\n The first%s.*blocked  blocked by b',
		':Tp check shows the verdict of the Ticket at hand'
	)
	vim.cmd('Tp why a')
	like(
		shows('blocked by b'),
		'^a  The first  queued  ○ held\n└─ blocked  blocked by b',
		':Tp why the tree of what holds it'
	)
	vim.cmd('close')
	vim.cmd('Tp brief')
	like(shows('## Queue'), '# Tickets: 2 queued.*a held: The first', ':Tp brief what to know')
	vim.cmd('close')
	vim.cmd('Tp records a')
	until_so(function() return #fn.getqflist() == 2 end)
	is(
		vim.tbl_map(function(item) return item.lnum end, fn.getqflist()),
		{ 2, 1 },
		':Tp records makes a list of places'
	)
	vim.cmd('cclose')
	like(told('Tp doctor'), 'problem', ':Tp doctor says what is wrong')
	like(told('Tp status'), 'process %d+, watch, 3 Tickets', ':Tp status how the agent is')
end

local function errors()
	like(
		told('Tp check nope'),
		'^ticketplan: no Ticket "nope"$',
		'an unknown Ticket is said as text'
	)
	is(level(), vim.log.levels.ERROR, 'as an error')
	like(told('Tp bogus'), 'no command bogus; there are accept, ', 'an unknown word too')
	like(told('Tp record a besides b'), 'besides is no kind', 'and an unknown kind')
	like(told('Tp record a after'), 'after needs another Ticket', 'and what is missing')
	like(told('Tp record a after nope why'), 'nope', 'and what the agent refuses')
	like(told('Tp show nope'), 'nope', 'and a place that is none')
end

-- Neovim's own channel is the other way to ask, for scripts.
local function channel()
	local socket = vim.trim(tpctl('socket'))
	local id = fn.sockconnect('pipe', socket, { rpc = true })
	is(
		vim.rpcrequest(id, 'ticket.check', { ticket = 'a' }).gate.verdict,
		'held',
		'a channel of Neovim may ask'
	)
	local fine, err = pcall(vim.rpcrequest, id, 'ticket.check', { ticket = 'nope' })
	like(not fine and tostring(err), 'not_found: no Ticket "nope"', 'and gets errors as text')
	fn.chanclose(id)
end

function stories.files()
	verdicts()
	problems()
	completion()
	jumps()
	views()
	errors()
	channel()
end

local function record_files(id)
	return fn.glob(('tickets/%s/artifacts/records/*.json'):format(id), true, true)
end

-- All that the record files of a Ticket say.
local function record_text(id)
	local all = {}
	for _, file in ipairs(record_files(id)) do
		vim.list_extend(all, fn.readfile(file))
	end
	return table.concat(all, '\n')
end

function stories.writes()
	edit('tickets/c/item.md')
	state_text('clear')
	like(
		told('Tp record after b Because of the rows.'),
		'recorded %w+: c after b$',
		':Tp record writes'
	)
	local files = record_files('c')
	is(#files, 1, 'one file')
	like(
		table.concat(fn.readfile(files[1]), '\n'),
		'"note": "Because of the rows."',
		'with what was said'
	)
	is(state_text('held'), '○ held  ordered b  note: untracked', 'and its effect is seen at once')
	vim.ui.input = function(_, go) go('Asked for.') end
	like(
		told('Tp record a conflicts-with c'),
		'a conflicts_with c',
		'a reason that is missing is asked for'
	)
	like(table.concat(fn.readfile(record_files('a')[1]), '\n'), 'Asked for', 'and written')
	vim.ui.input = function(_, go) go(nil) end
	vim.cmd('Tp record a conflicts-with b')
	told('Tp status')
	is(#record_files('a'), 1, 'who gives none after all records nothing')
	like(
		told('Tp record c waiting --until human Somebody decides.'),
		'waiting_capacity_note',
		'options go before the reason'
	)
	local other = fn.fnamemodify(record_files('a')[1], ':t:r')
	like(
		told('Tp retract ' .. other .. ' "Not any more."'),
		'retracted, by %w+: a retraction',
		'a record is retracted from its other side too'
	)
	like(record_text('a'), '"note": "Not any more."', 'quotes are not part of a reason')
	vim.cmd('edit ' .. files[1])
	until_so(function() return behind()[1] end)
	is(behind()[1], 'live', 'a record file says what has become of it')
	like(told('Tp retract Not so.'), 'no Ticket "Not"', 'a record must be named')
	like(
		told('Tp retract ' .. fn.fnamemodify(files[1], ':t:r') .. ' Not so.'),
		'retraction',
		'and is retracted'
	)
	until_so(function() return behind()[1] == 'retracted' end)
	is(behind()[1], 'retracted', 'which is seen')
	like(told('Tp accept a By me.'), 'a is held', 'what is held is not accepted')
	like(
		told('Tp accept a --override "It is urgent" By me.'),
		'accepted %w+: a accepted_plan',
		'but for a reason'
	)
	like(record_text('a'), 'It is urgent', 'which is kept')
end

-- -- While others work ----------------------------------------------------

local function follows(feed)
	edit('tickets/a/item.md')
	is(state_text('held'), '○ held  ordered b', 'a Ticket is held')
	vim.cmd('Tp queue')
	like(
		shows('1 queued'),
		'^follow  1 queued: 0 clear, 1 held\n○ a  %s+The first\n    ordered    runs after b',
		'the queue in a window'
	)
	local buf = api.nvim_get_current_buf()
	fn.cursor(3, 1)
	vim.cmd('wincmd p')
	said = {}
	ticket('b', 'done')
	if not feed then vim.cmd('doautocmd FocusGained') end
	is(
		state_text('clear'),
		'● clear',
		'somebody else resolves what held it, and its file shows it'
	)
	vim.cmd('wincmd p')
	like(shows('1 clear'), '1 queued: 1 clear, 0 held\n● a', 'the queue too')
	is(
		{ api.nvim_get_current_buf(), fn.line('.') },
		{ buf, 2 },
		'the cursor stays with its Ticket'
	)
	ticket('z', 'queued', 'The last')
	if not feed then vim.cmd('doautocmd FocusGained') end
	like(shows('The last'), '2 queued: 2 clear', 'a new Ticket comes in')
	if feed then
		until_so(function() return #said > 0 end)
		like(said[1] and said[1].text, '^ticketplan: a is clear now$', 'who waits is told')
	end
end

-- Work that goes on although something holds it.
local function goes_past_the_gate()
	ticket('f', 'planning')
	tpctl('record z after f -m First.')
	shows('ordered')
	said = {}
	ticket('z', 'inprogress', 'The last')
	until_so(function() return #said > 0 end)
	like(said[1] and said[1].text, '^ticketplan: z: ', 'and what goes past the gate is named')
	is(level(), vim.log.levels.WARN, 'as a warning')
end

local function keys_of_the_queue()
	press('<Tab>')
	fn.cursor(2, 1)
	press('<CR>')
	is(here(), 'tickets/a/item.md', 'its <CR> opens the Ticket')
	vim.cmd('wincmd p')
	press('K')
	like(card(), '^ a  queued  ● clear', 'its K shows the card')
	press('w')
	like(shows('nothing holds it'), '^a ', 'its w what holds it')
	press('q')
	vim.cmd('Tp queue')
	press('q')
	is(#fn.win_findbuf(api.nvim_get_current_buf()), 1, 'and its q closes it')
end

local function agent() return require('ticketplan.agent').of(fn.getcwd()) end

function stories.follow()
	local feed = agent():ask('agent.sync', {}, 20000) and agent().can['feed.subscribe']
	follows(feed)
	if feed then goes_past_the_gate() end
	keys_of_the_queue()
end

-- A linked checkout, in which b is done, and c is not.
function stories.checkouts()
	edit('../side/tickets/a/item.md')
	is(state_text('held'), '○ held  unmerged b', 'what is done in one checkout only is said')
	vim.cmd('Tp show b')
	until_so(function() return here():find('tickets/b/item.md', 1, true) ~= nil end)
	like(api.nvim_buf_get_name(0), '/side/tickets/b/item.md$', 'a jump stays in its checkout')
	vim.cmd('Tp show c')
	until_so(function() return here():find('tickets/c/item.md', 1, true) ~= nil end)
	like(api.nvim_buf_get_name(0), '/trees/tickets/c/item.md$', 'or goes where the Ticket is')
	vim.cmd('Tp show b')
	until_so(function() return here():find('tickets/b/item.md', 1, true) ~= nil end)
	like(api.nvim_buf_get_name(0), '/trees/tickets/b/item.md$', 'and so in the main checkout')
	vim.cmd('Tp show r-1')
	until_so(function() return here():find('plan.jsonl', 1, true) ~= nil end)
	like(api.nvim_buf_get_name(0), '/trees/tickets/a/artifacts/', 'to a record too')
	edit('../side/tickets/a/item.md')
	like(told('Tp claim'), 'a is claimed', 'a claim is made')
	like(tpctl('--json claims'), '"source":"side"', 'from the checkout one stands in')
end

function stories.looks()
	edit('tickets/a/item.md')
	state_text('clear')
	like(told('Tp record a waiting No.'), 'read', 'who may only look records nothing')
	like(told('Tp status'), 'process', 'and looks')
end

-- TP_SOCKET names the agent of another repository.
function stories.stray()
	like(
		told('Tp record a waiting No.'),
		'is that of .*/follow/%.git; is TP_SOCKET set%?$',
		'the agent of another repository is not asked'
	)
	edit('tickets/a/item.md')
	told('Tp status')
	is(behind(), {}, 'for anything')
end

local function claims()
	if not agent().can['claim.take'] then return end
	like(told('Tp claim a coder'), 'a is claimed by user:', ':Tp claim claims')
	like(tpctl('claims a'), 'coder', 'as everybody sees')
	like(
		state_text('claimed'),
		'^● clear  claimed by user:.* %(coder%)$',
		'and its file shows'
	)
	like(told('Tp release a'), 'a is released', ':Tp release gives it back')
	tpctl('claim a --session other --ttl 60s')
	if not agent().feed then vim.cmd('doautocmd FocusGained') end
	is(state_text('other'), '○ held  claimed by other', 'a claim of somebody else holds it')
	like(told('Tp claim a'), 'other', 'who comes second is told by whom')
	tpctl('release a --session other')
	is(state_text('clear'), '● clear', 'until it is given back')
end

local function stops()
	vim.cmd('Tp queue')
	shows('1 queued')
	tpctl('stop')
	like(
		shows('stopped'),
		'stopped by `tpctl stop`',
		'the window says that somebody stopped the agent'
	)
	like(
		told('Tp check a'),
		'^ticketplan: stopped by `tpctl stop`; `tpctl start` starts it again$',
		'and so does a command'
	)
	like(told('Tp start'), 'started: process', ':Tp start starts it')
	local function calm() return fn.getline(1) == 'life  1 queued: 1 clear, 0 held' end
	until_so(calm)
	ok(calm(), 'and the window is as before', fn.getline(1))
	vim.cmd('close')
end

local function dies()
	local pid = agent():ask('agent.status', {}).pid
	vim.loop.kill(pid, 'sigkill')
	like(
		told('Tp status'),
		'process %d+',
		'an agent that was killed is started again by the next question'
	)
	tpctl('stop')
	tpctl('start')
	like(told('Tp record a waiting Then.'), 'recorded', 'one that was restarted is found')
	is(
		state_text('note', fn.bufnr('tickets/a/item.md')),
		'● clear  note: waiting, untracked',
		'and seen by what is shown'
	)
end

local function lacks_tpctl()
	local config = require('ticketplan.config')
	tpctl('stop')
	until_so(function() return agent().state == 'closed' end)
	config.tpctl = '/nowhere/tpctl'
	like(told('Tp check a'), 'cannot run /nowhere/tpctl: ENOENT', 'without tpctl that is said')
	config.tpctl = 'tpctl'
	like(told('Tp start'), 'started', 'and with it all is well')
	is(vim.v.errmsg, '', 'nothing went wrong unseen')
end

function stories.life()
	edit('tickets/a/item.md')
	is(state_text('clear'), '● clear', 'a Ticket is clear')
	claims()
	stops()
	dies()
	lacks_tpctl()
end

-- -- What is odd ----------------------------------------------------------

function stories.odd()
	edit('tickets/open/20260101-000001-short/item.md')
	until_so(function() return behind()[6] end)
	is(behind()[6], '● clear', 'a tree with slugs')
	press('Gosee lon<C-x><C-o><Esc>')
	is(fn.getline('$'), 'see long', 'a slug is completed')
	fn.cursor(fn.line('$'), 6)
	vim.o.hidden = true
	press('gf')
	is(here(), 'tickets/open/20260101-000002-long/item.md', 'and jumped to')
	vim.cmd('Tp queue')
	like(
		shows('長い題名'),
		'長い題名\\x1b%[2J\\u{202e} 一覧\\n二行目',
		'control characters of a title are shown, not obeyed'
	)
	vim.cmd('Tp check 20260101-000003-odd')
	like(card(), '長い題名\\x1b', 'on a card too')
	vim.cmd('close')
	edit('tickets/open/torn/item.md')
	until_so(function() return #vim.diagnostic.get(0) > 0 end)
	is(
		vim.diagnostic.get(0)[1].code,
		'no_front_matter',
		'a Ticket that cannot be read says why'
	)
	is(vim.v.errmsg, '', 'nothing went wrong unseen')
end

function stories.nowhere()
	edit('item.md')
	press('A q<C-x><C-o><Esc>')
	vim.wait(0)
	is(said, {}, 'outside a repository nothing is said')
	is({ behind(), vim.bo.tagfunc }, { {}, '' }, 'nor done')
	like(told('Tp queue'), '^ticketplan: no git repository here$', 'but by a command')
	vim.cmd('edit! ' .. os.getenv('HOME') .. '/new/item.md')
	is(#said, 1, 'a file that is not there yet does no harm')
	is(fn.getcompletion('Tp check ', 'cmdline'), {}, 'nor completion')
end

local fine, wrong = xpcall(stories[os.getenv('STORY')], debug.traceback)
if not fine then ok(false, 'the story ' .. os.getenv('STORY') .. ' came to its end', wrong) end
vim.cmd(fine and 'qall!' or 'cquit!')
