//! Plain documents as PDF: headings, lines and tables of text on numbered pages.
//!
//! Text is text (it can be selected and searched), in the fonts that every reader has, so nothing is embedded. Those
//! know the characters of Windows-1252; others are written as their code point, so that names stay distinguishable.
//! Nothing here asks for the time or for random numbers: equal input gives equal bytes.

mod text;

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use self::text::{encode, width, wrap};

const PAGE_WIDTH: f32 = 595.0;
const PAGE_HEIGHT: f32 = 842.0;
const MARGIN: f32 = 48.0;
const FOOTER: f32 = 30.0;
/// The room for text, in points.
pub(crate) const WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;
const REGULAR: Name<'static> = Name(b"R");
const BOLD: Name<'static> = Name(b"B");
/// Points from one line to the next, for each point of size.
const LEADING: f32 = 1.3;

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    /// In points.
    pub(crate) size: f32,
    /// Whether it is bold.
    pub(crate) is_bold: bool,
    /// How dark it is: 0 is black.
    pub(crate) grey: f32,
}

/// Of the document's title.
pub(crate) const TITLE: Style = Style {
    size: 18.0,
    is_bold: true,
    grey: 0.0,
};
/// Of a part.
pub(crate) const HEADING: Style = Style {
    size: 12.5,
    is_bold: true,
    grey: 0.0,
};
/// Of a line that is read first.
pub(crate) const STRONG: Style = Style {
    size: 9.0,
    is_bold: true,
    grey: 0.0,
};
/// Of all else.
pub(crate) const BODY: Style = Style {
    size: 9.0,
    is_bold: false,
    grey: 0.0,
};
/// Of what is less important.
pub(crate) const SOFT: Style = Style {
    size: 8.0,
    is_bold: false,
    grey: 0.35,
};

/// A cell of a table's row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'t> {
    /// What it says.
    pub(crate) text: &'t str,
    /// Where it begins, in points from the left margin.
    pub(crate) at: f32,
    /// Its room.
    pub(crate) width: f32,
    /// Whether it ends at its right edge: numbers.
    pub(crate) is_end: bool,
}

/// A document that grows downwards.
pub(crate) struct Document {
    pages: Vec<Content>,
    y: f32,
}

impl Document {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            pages: vec![Content::new()],
            y: PAGE_HEIGHT - MARGIN,
        }
    }

    /// Leaves room.
    pub(crate) fn space(&mut self, points: f32) {
        self.y -= points;
    }

    /// Begins a page if there is no room for so many points: a heading stays with what follows it.
    pub(crate) fn keep(&mut self, points: f32) {
        if self.y - points < MARGIN {
            self.pages.push(Content::new());
            self.y = PAGE_HEIGHT - MARGIN;
        }
    }

    /// A paragraph, so far from the left margin.
    pub(crate) fn line(&mut self, text: &str, style: Style, indent: f32) {
        self.row(
            &[Cell {
                text,
                at: indent,
                width: WIDTH - indent,
                is_end: false,
            }],
            style,
        );
    }

    /// A row of a table. Cells that are too long take several lines.
    pub(crate) fn row(&mut self, cells: &[Cell<'_>], style: Style) {
        let wrapped: Vec<(Cell<'_>, Vec<Vec<u8>>)> = cells
            .iter()
            .map(|cell| (*cell, wrap(&encode(cell.text), cell.width, style)))
            .collect();
        let lines = wrapped.iter().map(|(_, lines)| lines.len()).max();
        let leading = style.size * LEADING;
        for at in 0..lines.unwrap_or_default() {
            self.keep(leading);
            self.y -= leading;
            for (cell, lines) in &wrapped {
                let Some(line) = lines.get(at) else { continue };
                let begin = match cell.is_end {
                    true => cell.at + cell.width - width(line, style),
                    false => cell.at,
                };
                let y = self.y;
                self.show(line, MARGIN + begin, y, style);
            }
        }
    }

    /// A thin line across the page.
    pub(crate) fn rule(&mut self) {
        self.y -= 3.0;
        let y = self.y;
        if let Some(page) = self.pages.last_mut() {
            page.save_state();
            page.set_stroke_gray(0.75);
            page.set_line_width(0.5);
            page.move_to(MARGIN, y);
            page.line_to(PAGE_WIDTH - MARGIN, y);
            page.stroke();
            page.restore_state();
        }
        self.y -= 1.0;
    }

    fn show(&mut self, line: &[u8], x: f32, y: f32, style: Style) {
        if let Some(page) = self.pages.last_mut() {
            show(page, line, x, y, style);
        }
    }

    /// The file. Each page tells `footer`, its number, and how many there are.
    pub(crate) fn finish(
        mut self,
        title: &str,
        footer: &str,
        dated: Option<pdf_writer::Date>,
    ) -> Vec<u8> {
        let count = self.pages.len();
        let footer = encode(footer);
        for (at, page) in self.pages.iter_mut().enumerate() {
            let number = encode(&format!("Page {} of {count}", at + 1));
            let end = PAGE_WIDTH - MARGIN - width(&number, SOFT);
            let line = wrap(&footer, end - MARGIN - 12.0, SOFT);
            if let Some(line) = line.first() {
                show(page, line, MARGIN, FOOTER, SOFT);
            }
            show(page, &number, end, FOOTER, SOFT);
        }
        let mut pdf = Pdf::new();
        let mut last = 0_i32;
        let mut next = || {
            last = last.saturating_add(1);
            Ref::new(last)
        };
        let (catalog, tree, info, regular, bold) = (next(), next(), next(), next(), next());
        let pages: Vec<(Ref, Ref, Content)> = self
            .pages
            .into_iter()
            .map(|page| (next(), next(), page))
            .collect();
        pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
        let mut about = pdf.document_info(info);
        about.title(TextStr(title)).producer(TextStr("Seareeve"));
        if let Some(dated) = dated {
            about.creation_date(dated);
        }
        about.finish();
        pdf.pages(tree)
            .kids(pages.iter().map(|(page, ..)| *page))
            .count(i32::try_from(count).unwrap_or(i32::MAX));
        for (font, name) in [(regular, "Helvetica"), (bold, "Helvetica-Bold")] {
            pdf.type1_font(font)
                .base_font(Name(name.as_bytes()))
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for (id, content, written) in pages {
            let mut page = pdf.page(id);
            page.media_box(Rect::new(0.0, 0.0, PAGE_WIDTH, PAGE_HEIGHT));
            page.parent(tree);
            page.contents(content);
            let mut resources = page.resources();
            let mut fonts = resources.fonts();
            fonts.pair(REGULAR, regular);
            fonts.pair(BOLD, bold);
            fonts.finish();
            resources.finish();
            page.finish();
            pdf.stream(content, &written.finish());
        }
        pdf.finish()
    }
}

fn show(page: &mut Content, line: &[u8], x: f32, y: f32, style: Style) {
    page.begin_text();
    page.set_fill_gray(style.grey);
    page.set_font(if style.is_bold { BOLD } else { REGULAR }, style.size);
    page.next_line(x, y);
    page.show(Str(line));
    page.end_text();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_numbered_and_bytes_are_equal() {
        let made = || {
            let mut document = Document::new();
            document.line("A title", TITLE, 0.0);
            for at in 0..200 {
                document.line(&format!("row {at}"), BODY, 0.0);
            }
            document.finish("A title", "of a test", None)
        };
        let bytes = made();
        assert_eq!(bytes, made());
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-1.7"));
        assert!(text.contains("(row 199)"), "text stays text");
        assert_eq!(text.matches("/Type /Page\n").count(), 4);
        assert!(text.contains("(Page 4 of 4)"));
    }
}
