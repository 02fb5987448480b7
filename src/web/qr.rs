//! A QR code as one path of an SVG drawing, so that a page needs neither a picture nor a style.

use qrcode::{Color, EcLevel, QrCode};

/// The margin that readers need around the code, in modules.
const MARGIN: usize = 4;

/// A drawing: black where the path is, white elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Width and height, in modules, with the margin.
    pub size: usize,
    /// The path of what is black.
    pub path: String,
}

/// Draws a text; `None` when it is too long for a QR code.
pub(super) fn draw(text: &str) -> Option<Drawing> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let dark = |at: &usize| row.get(*at) == Some(&Color::Dark);
            let run = (x..width).take_while(dark).count();
            if run > 0 {
                path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + MARGIN, y + MARGIN));
            }
            x += run + 1;
        }
    }
    Some(Drawing {
        size: width + 2 * MARGIN,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_is_black_where_the_code_is() {
        let text = "https://metrust.example/registration#ABCD-EFGH-JKMN-PQRS";
        let drawing = draw(text).unwrap();
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let width = code.width();
        let mut black = vec![Color::Light; width * width];
        for run in drawing.path.split('M').skip(1) {
            let (place, rest) = run.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let run: usize = rest.split_once('v').unwrap().0.parse().unwrap();
            for x in x..x + run {
                black[(y - MARGIN) * width + x - MARGIN] = Color::Dark;
            }
        }
        assert!(black == code.to_colors());
        assert_eq!(drawing.size, width + 8);
        assert!(drawing.path.len() < 8000, "{}", drawing.path.len());
    }

    #[test]
    fn what_does_not_fit_is_not_drawn() {
        assert!(draw(&"x".repeat(5000)).is_none());
    }
}
